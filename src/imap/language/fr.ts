// Français.
import type { Translation } from './texts.ts'

export const fr: Translation = {
  syntaxError: 'La commande ne respecte pas la grammaire',
  texts: {
    'Annotations of messages': 'Annotations des messages',
    'Annotations below /flags have no meaning yet': "Les annotations sous /flags n'ont pas encore de sens",
    'Without a name you may only read': 'Sans nom, vous pouvez seulement lire',
    // CONVERT
    'That are too many messages to convert at once': 'Trop de messages à convertir à la fois',
    'That are too many parts to convert at once': 'Trop de parties à convertir à la fois',
    'All conversions failed': 'Toutes les conversions ont échoué',
    'Some conversions failed': 'Certaines conversions ont échoué',
    'There is no such part': "Cette partie n'existe pas",
    'That conversion is not possible': "Cette conversion n'est pas possible",
    'Some parameters are not for that conversion':
      'Certains paramètres ne conviennent pas à cette conversion',
    'The part is too large to be converted': 'La partie est trop grande pour être convertie',
    'The part has an unknown transfer encoding': 'La partie a un encodage de transfert inconnu',
    'The replacement for unknown characters is too long':
      'Le remplacement des caractères inconnus est trop long',
    'The charset lacks characters of the text, or is not known here':
      'Le jeu de caractères ne suffit pas au texte ou est inconnu ici',
    'A side of the image is out of bounds': "Un côté de l'image est hors limites",
    'Images can be converted later': 'Les images pourront être converties plus tard',
    'The image can not be read, or is too large': "L'image est illisible ou trop grande",
    'Headers are converted to a charset': 'Les en-têtes sont convertis dans un jeu de caractères',
    // Gmail's labels
    'Labels are for messages of your own': 'Les libellés sont réservés à vos propres messages',
    'No mailbox here is for {}': "Aucune boîte n'est prévue pour {}",
    // Stored searches
    'There is no such filter': "Ce filtre n'existe pas",
    'That is no name for a filter': 'Un filtre ne peut pas porter ce nom',
    'The filter {} is no whole search': "Le filtre {} n'est pas une recherche complète",
    // Log-in
    Welcome: 'Bienvenue',
    'Until next time': 'À la prochaine',
    'Log in anew': 'Connectez-vous à nouveau',
    'log in first': "Connectez-vous d'abord",
    'you are logged in already': 'Vous êtes déjà connecté',
    'authentication was cancelled': "L'authentification a été annulée",
    'The name or the password is wrong': 'Le nom ou le mot de passe est incorrect',
    'That password is not for IMAP': "Ce mot de passe n'est pas valable pour IMAP",
    'Too many failed attempts; wait a little, then try again':
      "Trop d'échecs ; patientez un peu, puis réessayez",
    "Log-ins can't be checked now; try again in a minute":
      'Les connexions ne peuvent pas être vérifiées pour le moment ; réessayez dans une minute',
    'There is no such mechanism here': "Ce mécanisme n'existe pas ici",
    'Use STARTTLS first': "Utilisez d'abord STARTTLS",
    'Begin TLS now': 'Commencez TLS maintenant',
    'TLS is on already': 'TLS est déjà actif',
    'This server has no certificate': "Ce serveur n'a pas de certificat",
    // Mailboxes
    Opened: 'Ouverte',
    'Opened for reading': 'Ouverte en lecture seule',
    'select a mailbox first': "Ouvrez d'abord une boîte",
    'The mailbox before is closed': 'La boîte précédente est fermée',
    'The selected mailbox is gone': "La boîte ouverte n'existe plus",
    'You have no right to do that with this mailbox': "Vous n'avez pas ce droit sur cette boîte",
    "A mailbox can't be given to another account": 'Une boîte ne peut pas passer à un autre compte',
    "The INBOX of another can't be renamed": "La boîte INBOX d'un autre ne peut pas être renommée",
    "Uses are for one's own mailboxes": 'Les usages sont réservés à vos propres boîtes',
    'Private entries are for your own mailboxes': 'Les entrées privées sont réservées à vos propres boîtes',
    'There is nobody of that name': 'Personne ne porte ce nom',
    'The owner keeps all rights': 'Le propriétaire garde tous les droits',
    'Only an administrator shares a mailbox with anyone':
      'Seul un administrateur partage une boîte avec tout le monde',
    'These can be changed': 'Ceux-ci peuvent être modifiés',
    'The mailbox was opened read-only: SELECT it': 'La boîte est ouverte en lecture seule : utilisez SELECT',
    'There is no such mailbox': "Cette boîte n'existe pas",
    'There is a mailbox of that name': 'Une boîte porte déjà ce nom',
    'The mailbox has others below it': 'La boîte en contient d’autres',
    "That name can't be used: {}": 'Ce nom ne peut pas être utilisé : {}',
    'The name is not valid modified UTF-7': "Le nom n'est pas en UTF-7 modifié valide",
    'The patterns are too long': 'Les motifs sont trop longs',
    "INBOX can't be deleted": 'INBOX ne peut pas être supprimée',
    'A mailbox can have one use': "Une boîte ne peut avoir qu'un usage",
    '{} is no use that can be given': "{} n'est pas un usage que l'on peut attribuer",
    'Another mailbox has that use': 'Une autre boîte a déjà cet usage',
    'All of it can be changed': 'Tout peut être modifié',
    'Nothing can be changed': 'Rien ne peut être modifié',
    'The first that is not seen': 'Le premier non lu',
    'UIDs are valid': 'Les UID sont valides',
    'The next UID': 'Le prochain UID',
    'The state of the mailbox': "L'état de la boîte",
    'The mailbox itself': 'La boîte elle-même',
    'CONDSTORE is on': 'CONDSTORE est actif',
    // Messages
    'the mailbox is empty': 'La boîte est vide',
    'there are only {} messages': "Il n'y a que {} messages",
    'There is no such message': "Ce message n'existe pas",
    'Some of the messages are gone': "Certains des messages n'existent plus",
    'The messages are gone': "Les messages n'existent plus",
    'Some were changed meanwhile and are left as they are':
      'Certains ont été modifiés entre-temps et restent inchangés',
    Moved: 'Déplacés',
    'Replacement is stored': 'Le remplacement est enregistré',
    'Searched, will notify': 'Recherche faite, les changements seront signalés',
    'Searched, will not notify': 'Recherche faite, les changements ne seront pas signalés',
    'No further updates': 'Les changements ne seront plus signalés',
    'Not all of these tags are of searches that were kept up to date':
      'Ces étiquettes ne désignent pas toutes une recherche suivie',
    'The messages refer to too many others': 'Les messages font référence à trop d’autres messages',
    'That are too many messages to search at once': 'Trop de messages pour une seule recherche',
    'Searched, and the result is saved': 'Recherche faite, résultat conservé',
    'That charset is not known here': "Ce jeu de caractères n'est pas connu ici",
    'There is no such comparator here': "Ce comparateur n'existe pas ici",
    'A part has a transfer encoding that is not known here': 'Une partie a un codage de transfert inconnu',
    'The stored message is damaged; tell the administrator':
      "Le message enregistré est endommagé ; prévenez l'administrateur",
    'An empty message is not kept; nothing was appended':
      "Un message vide n'est pas conservé ; rien n'a été ajouté",
    'Messages can have up to {} bytes': 'Les messages peuvent compter {} octets au plus',
    'One APPEND takes up to {} messages': 'Un APPEND accepte {} messages au plus',
    'Too many messages at once': 'Trop de messages à la fois',
    'Too many messages to copy, try a smaller subset':
      'Trop de messages à copier, essayez un plus petit ensemble',
    'Done for the last {} messages': 'Fait pour les {} derniers messages',
    'Header fields in UTF-8 need ENABLE UTF8=ACCEPT first':
      "Les en-têtes en UTF-8 demandent d'abord ENABLE UTF8=ACCEPT",
    // URLs
    'That URL names nothing here; nothing was appended':
      "Cette URL ne désigne rien ici ; rien n'a été ajouté",
    'The URL names nothing here': "L'URL ne désigne rien ici",
    'The URL has expired already': "L'URL a déjà expiré",
    'INTERNAL is the only mechanism there is': 'INTERNAL est le seul mécanisme',
    'The URLs given out so far are void': 'Les URL données jusqu’ici ne valent plus',
    // Quotas and annotations
    'The account is over its quota: delete something first':
      "Le compte dépasse son quota : supprimez d'abord quelque chose",
    'That quota root is not yours': "Ce quota n'est pas le vôtre",
    'There is no such quota root': "Ce quota n'existe pas",
    'Administrators set quotas': 'Les quotas sont fixés par les administrateurs',
    'There is no resource {}': "La ressource {} n'existe pas",
    'That is more than can be counted': "C'est plus que l'on ne peut compter",
    'Administrators set what all share': 'Ce qui est partagé par tous est fixé par les administrateurs',
    "Set the server's private and shared entries by themselves":
      'Réglez séparément les entrées privées et partagées du serveur',
    '{} is set in the configuration': '{} se règle dans la configuration',
    'That value is too large': 'Cette valeur est trop grande',
    'There are too many annotations here': "Il y a trop d'annotations ici",
    // Notifications, idling, progress
    'There is an event that this server does not have': "Un des événements n'existe pas sur ce serveur",
    'Too much has happened: notifications are off now':
      "Il s'est passé trop de choses : les notifications sont désactivées",
    'IDLE ended': 'IDLE terminé',
    'Still here': 'Toujours là',
    'Still at it': 'Toujours en cours',
    '{} completed': '{} terminé',
    // Language and compression
    'Now speaking English': 'Désormais en français',
    'These are the languages': 'Voici les langues',
    'None of these languages is known here': "Aucune de ces langues n'est connue ici",
    'DEFLATE active': 'DEFLATE est actif',
    'compression is active already': 'La compression est déjà active',
    'Open a new connection: this one is compressed':
      'Ouvrez une nouvelle connexion : celle-ci est compressée',
    // The server
    'The server is going down; come back in a minute': "Le serveur s'arrête ; revenez dans une minute",
    'Your account or its password has changed; log in again':
      'Votre compte ou son mot de passe a changé ; reconnectez-vous',
    'This account has too many sessions open': 'Trop de sessions sont ouvertes pour ce compte',
    'The account is gone': "Le compte n'existe plus",
    'The disk is full; nothing was changed, try again later':
      "Le disque est plein ; rien n'a été modifié, réessayez plus tard",
    'The store is not available now; try again in a minute':
      "Le stockage n'est pas disponible ; réessayez dans une minute",
    'There is no such thing': "Cela n'existe pas",
    'That is a fault of this server; its number is {}': "C'est une erreur de ce serveur ; son numéro est {}",
    'This is an IMAP server': 'Ceci est un serveur IMAP',
    'You were silent for too long': 'Vous êtes resté inactif trop longtemps',
    'Too many commands that make no sense': 'Trop de commandes dénuées de sens',
    'The line has no end': "La ligne n'a pas de fin",
    'The line is too long': 'La ligne est trop longue',
    'The command is too long': 'La commande est trop longue',
    'That literal is too large': 'Ce littéral est trop grand',
    'there is no such command': "Cette commande n'existe pas",
    'UIDONLY is on: speak of UIDs only': "UIDONLY est actif : n'utilisez que des UID",
  },
}
